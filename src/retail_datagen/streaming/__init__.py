"""Jobs that send events: history first, and what happens now. The command line may enter."""
