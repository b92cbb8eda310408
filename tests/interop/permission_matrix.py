"""Decides with Feast's own enforcer: cases as JSON on standard input, the decision of each on standard output.

A decision is "allowed", "denied", or "error" where Feast fails otherwise.
"""

import json
import logging
import sys
from unittest.mock import Mock

from feast.errors import FeastPermissionError
from feast.feast_object import ALL_RESOURCE_TYPES
from feast.permissions.action import AuthzedAction
from feast.permissions.enforcer import enforce_policy
from feast.permissions.permission import Permission
from feast.permissions.policy import (
    AllowAll,
    CombinedGroupNamespacePolicy,
    GroupBasedPolicy,
    NamespaceBasedPolicy,
    RoleBasedPolicy,
)
from feast.permissions.user import User

logging.disable(logging.CRITICAL)
TYPES = {kind.__name__: kind for kind in ALL_RESOURCE_TYPES}


def policy_of(policy):
    if policy == "allow_all":
        return AllowAll
    (kind, words), = policy.items()
    if kind == "roles":
        return RoleBasedPolicy(roles=words)
    if kind == "groups":
        return GroupBasedPolicy(groups=words)
    if kind == "namespaces":
        return NamespaceBasedPolicy(namespaces=words)
    return CombinedGroupNamespacePolicy(groups=words["groups"], namespaces=words["namespaces"])


def permission_of(permission):
    return Permission(
        name=permission["name"],
        types=[TYPES[kind] for kind in permission["types"]],
        name_patterns=permission["name_patterns"],
        actions=[AuthzedAction[action] for action in permission["actions"]],
        policy=policy_of(permission["policy"]),
        required_tags=permission["required_tags"],
    )


def decision(case):
    resource = Mock(spec=TYPES[case["type"]])
    resource.name, resource.tags = case["name"], case["tags"]
    user = User(case["user"], case["roles"], case["groups"], case["namespaces"])
    actions = [AuthzedAction[action] for action in case["actions"]]
    try:
        enforce_policy([permission_of(one) for one in case["permissions"]], user, [resource], actions)
        return "allowed"
    except FeastPermissionError:
        return "denied"
    except Exception:
        return "error"


print(json.dumps([decision(case) for case in json.load(sys.stdin)]))
