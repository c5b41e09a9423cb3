"""ZeroMQ: the one table of topics, codec, server, client, keys; and what the bus's alerts look and sound like."""
