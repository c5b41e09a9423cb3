"""The printable kit: marker bodies, calibration board and the rig that matches them."""
