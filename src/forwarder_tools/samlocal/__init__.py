"""`sam local` for people with Docker: the function in a container of Lambda's own image, and all it may reach.

Inside a container 127.0.0.1 is the container itself, so the sandbox and the local cloud listen where containers
can reach them, and `events/env.json` names them there. Nothing else is named: not Kochava, not AWS.
"""
