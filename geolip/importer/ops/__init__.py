"""The readers of ONNX operators, one file for each family.

Every file has a table ``OPERATORS`` from operator names to readers; the importer lists
this folder, so that a new file is all that a new family needs.
"""
