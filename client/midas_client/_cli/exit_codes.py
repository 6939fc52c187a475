"""What the command's exit code says."""

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

EXPLANATION = """\
exit codes:
  0    all well
  1    a photo failed, or the server gave an error or no answer
  2    the command line is wrong
  130  interrupted with Ctrl-C"""
