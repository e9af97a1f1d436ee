"""Judges values by the JSON Schemas alone, as somebody does who has nothing else of Fernamt."""

from functools import cache
from typing import Any

from jsonschema import Draft7Validator, Draft202012Validator

from services.cli.schemas.asyncapi import document
from services.cli.schemas.json_schema import documents

FILES = documents()


def complaints(file: str, name: str, value: object) -> list[str]:
    """What is wrong with ``value`` as the ``name`` of a file, by JSON Schema 2020-12."""
    return [error.message for error in _validator(file, name).iter_errors(value)]


def complaints_of_asyncapi(message: str, value: object) -> list[str]:
    """What is wrong with ``value`` as the payload of a message, in the words of AsyncAPI."""
    return [error.message for error in _payload_validator(message).iter_errors(value)]


@cache
def _validator(file: str, name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": FILES[file]["$defs"]})


@cache
def _payload_validator(message: str) -> Draft7Validator:
    components = _components()
    payload = components["messages"][message]["payload"]
    return Draft7Validator({"allOf": [payload], "components": components})


@cache
def _components() -> dict[str, Any]:
    components: dict[str, Any] = document()["components"]
    return components
