"""The place where camera, markers, tips and axes are calibrated: which steps there are, each with its picture, advice, verdict and reasons."""
