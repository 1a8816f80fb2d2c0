"""The trusted float arithmetic: bounds with a proved margin for every rounding."""
