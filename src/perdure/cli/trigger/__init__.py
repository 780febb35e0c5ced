"""`perdure trigger`: what starts and drives workflows from outside, seen and put right."""
