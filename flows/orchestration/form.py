"""The form of a flow in Prefect's UI: fields that can be filled in, of the values' own types."""

import inspect
from functools import reduce
from operator import getitem, or_
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args, get_origin

from prefect import Flow
from pydantic import Field

FlowT = TypeVar("FlowT", bound=Flow[..., Any])


def with_form(flow: FlowT) -> FlowT:
    """Return a flow whose form shows a field for each option; what is left empty is not given.

    Of an option that may be None, Prefect 3.7 shows `Property is type "None"` instead of a field,
    and of one whose default is null it sends null, which the option's own type then refuses. So the
    form's signature has the type without None, and a default that no schema shows. The function's
    own signature stays as it is: by it the parameters of a run are checked.
    """
    signature = inspect.signature(flow.fn, eval_str=True)
    fields = [_field(parameter) for parameter in signature.parameters.values()]
    # What Prefect reads, for `serve` and `prefect deploy` alike, when it makes a deployment.
    vars(flow)["__signature__"] = signature.replace(parameters=fields)
    return flow


def _field(parameter: inspect.Parameter) -> inspect.Parameter:
    by_name = parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    if parameter.default is not None:
        return by_name
    is_annotated = get_origin(parameter.annotation) is Annotated
    hint, *extras = get_args(parameter.annotation) if is_annotated else [parameter.annotation]
    own = reduce(or_, (kind for kind in get_args(hint) if kind is not NoneType))
    # By functions, for to mypy these are values and no types.
    shown = getitem(Annotated, (own, *extras, Field(default_factory=NoneType)))
    return by_name.replace(annotation=shown, default=inspect.Parameter.empty)
