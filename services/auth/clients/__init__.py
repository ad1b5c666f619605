"""Other servers, as ``auth`` asks them: a registry when it is entered or checked. No rule lives here."""
