"""Tables of TOML and JSON as dataclasses: every key is known and every value of its type."""

from __future__ import annotations

import dataclasses
import json
import types
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class ConfigError(ValueError):
    """What is wrong with a configuration, in one sentence."""


def parse(cls: type[T], table: Any, at: str) -> T:
    """The dataclass `cls` from a table that stands `at` some place; the field `x_` is the key `x`.

    Raises ConfigError where a key is unknown or missing, or a value of another type."""
    assert dataclasses.is_dataclass(cls)
    if not isinstance(table, dict):
        raise ConfigError(f"{at} must be a table, not {json.dumps(table)}.")
    fields = {field.name.rstrip("_"): field for field in dataclasses.fields(cls)}
    for key in table:
        if key not in fields:
            raise ConfigError(f'{at} has no "{key}"; it knows {", ".join(fields)}.')
    for key, field in fields.items():
        if key not in table and field.default is field.default_factory is dataclasses.MISSING:
            raise ConfigError(f'{at} needs "{key}".')
    hints = get_type_hints(cls)
    given = {field.name: (hints[field.name], key) for key, field in fields.items() if key in table}
    return cls(**{name: _value(kind, table[key], f"{at}.{key}") for name, (kind, key) in given.items()})


def _value(kind: Any, given: Any, at: str) -> Any:
    """`given` as the type `kind`. Of what may be missing an empty table is none."""
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (inner,) = (arg for arg in args if arg is not types.NoneType)
        return None if given in (None, {}) and not get_origin(inner) else _value(inner, given, at)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return parse(kind, given, at)
    if origin is Literal:
        if given not in args:
            raise ConfigError(f"{at} must be {' or '.join(map(json.dumps, args))}, not {json.dumps(given)}.")
        return given
    if origin is tuple:
        several = args[-1] is Ellipsis
        if not isinstance(given, list | tuple) or not (several or len(given) == len(args)):
            raise ConfigError(f"{at} must be a list{'' if several else f' of {len(args)}'}, not {json.dumps(given)}.")
        kinds = args[:1] * len(given) if several else args
        return tuple(_value(k, item, f"{at}[{i}]") for i, (k, item) in enumerate(zip(kinds, given, strict=True)))
    named = {dict: "a table", str: "a text", bool: "true or false", int: "a whole number", float: "a number"}
    plain = origin or kind
    right = (int, float) if plain is float else plain
    if not isinstance(given, right) or (plain is not bool and isinstance(given, bool)):
        raise ConfigError(f"{at} must be {named[plain]}, not {json.dumps(given)}.")
    return float(given) if plain is float else given
