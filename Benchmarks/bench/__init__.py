"""What the figures stand on: a private server, made-up migrations, and repeated measurements side by side."""
