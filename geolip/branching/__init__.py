"""Exact formal constants: branch and bound on slopes and on signs of inputs.

`region` says what a node of the tree stands for, `compact` and `bound` bound it from
above, `pattern` from below, `search` grows the tree and `state` keeps it in a file.

Source: docs/solvers.md section 9.
"""
