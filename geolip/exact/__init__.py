"""Deciding in exact integer arithmetic whether multipliers prove a bound."""
