"""The names of what the checks deploy, as the operator and the AWS CLI use them.

They are those of a file of the tests: the repository's own deploy.toml is its owner's to change (see checks/owner.py).
"""

FILE = "xtask/deploy/tests/fixtures/ielts.toml"

REGION = "ap-southeast-1"
CLUSTER = "ielts-prod-cluster"
KEYS = ("backend", "frontend")
SERVICES = ("ielts-backend-service", "ielts-frontend-service")
FAMILIES = ("ielts-backend", "ielts-frontend")
TARGET_GROUPS = ("ielts-backend-tg", "ielts-frontend-tg")
REPOSITORIES = ("ielts/backend", "ielts/frontend")
POLICY = "backend-cpu-scaling"
