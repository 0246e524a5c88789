"""The names of the target, as the operator and the AWS CLI use them."""

REGION = "ap-southeast-1"
CLUSTER = "ielts-prod-cluster"
KEYS = ("backend", "frontend")
SERVICES = ("ielts-backend-service", "ielts-frontend-service")
FAMILIES = ("ielts-backend", "ielts-frontend")
TARGET_GROUPS = ("ielts-backend-tg", "ielts-frontend-tg")
REPOSITORIES = ("ielts/backend", "ielts/frontend")
POLICY = "backend-cpu-scaling"
