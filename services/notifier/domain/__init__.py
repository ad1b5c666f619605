"""What a registry's notification says, or why it says nothing. Pure: no I/O, no clock."""
