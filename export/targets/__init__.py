"""The builds that there are (a target and a precision), and what makes and runs the files of each target."""
