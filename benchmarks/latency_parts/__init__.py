"""Parts of the latency benchmark: loads, a made-up case, the live source, the processes, and how what they noted is counted."""
