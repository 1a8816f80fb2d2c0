"""Bounds that need no semidefinite program, upper and lower, one file each."""
