"""How far executing a model in float32 can be from its function: forward error."""

from geolip.execution.statement import FloatExecution as FloatExecution
from geolip.execution.statement import forward_error as forward_error
