"""The checks, in the order in which they run: each module leaves the cloud as the next one needs it."""

from . import fresh, again, cli, commands, update, broken, page, engine, credentials, containers, killed, lifecycle, safety, owner, adopted, elsewhere

ORDER = [fresh, again, cli, commands, update, broken, page, engine, credentials, containers, killed, lifecycle, safety, owner, adopted, elsewhere]
