"""From facts to a frame: ``engine`` holds the state and takes the steps, its neighbours make rows and their order."""
