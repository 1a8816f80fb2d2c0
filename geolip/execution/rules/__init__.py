"""How ONNX operators round in float32, one file for each family.

Every file has a table ``OPERATORS`` from operator names to rules; this folder is
listed, so that a new file is all that a new family needs.
"""
