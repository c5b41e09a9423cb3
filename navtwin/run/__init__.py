"""The impure loop: sockets, clocks, threads and worker processes around the pure fold."""
