"""The benchmark behind `make bench`: what an operation costs a server in CPU time."""
