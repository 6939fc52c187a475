"""What can be done to a depth map before it is encoded: sharper edges with the photo's help, or fewer speckles."""
