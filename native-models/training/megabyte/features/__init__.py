"""What the model is told of the bytes before a place. Each module has its twin in main/engine/features, which computes
the same numbers: change here and there together (docs/decisions/0004)."""
