"""Parts of the fuzzer."""
