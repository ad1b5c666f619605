"""Messages that the catalogue listens to: validate, apply in one transaction, acknowledge."""
