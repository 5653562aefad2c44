"""How far a run is: one value, made where papers come to count, and shown in four places."""
