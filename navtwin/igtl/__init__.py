"""OpenIGTLink as bytes: header, checksum, bodies, framing. No sockets and no clocks (protocol: openigtlink/OpenIGTLink, Documents/Protocol)."""
