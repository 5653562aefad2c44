"""The built wheel, installed as users do."""
