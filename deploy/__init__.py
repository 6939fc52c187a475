"""What runs the project on more than one server, or for months."""
