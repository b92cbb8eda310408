"""Python Feast applies entities one after the other, and reads each of them back. Prints how many were as they should be."""

import sys
import warnings

warnings.filterwarnings("ignore")

from feast import Entity, FeatureStore, ValueType

PROJECT = "shop"
registry = FeatureStore(repo_path=sys.argv[1]).registry
right = 0
for number in range(40):
    entity = Entity(name=f"python_{number}", join_keys=["id"], value_type=ValueType.INT64)
    registry.apply_entity(entity, PROJECT)
    right += registry.get_entity(entity.name, PROJECT) == entity
print(right)
