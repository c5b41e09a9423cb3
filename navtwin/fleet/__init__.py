"""Many logs at once, over processes or machines: verified, timed, reported on. Only `scheduler` knows dask, only `store` Parquet."""
