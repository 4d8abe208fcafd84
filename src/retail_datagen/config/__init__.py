"""What the user asks for: settings, profiles, and errors made for people.

Everyone may enter; it imports nothing of the package.
"""
