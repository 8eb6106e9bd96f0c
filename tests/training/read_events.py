#!/usr/bin/env python3
"""Prints what TensorBoard reads from a folder of event files, as JSON. Argument: the folder."""
import json
import sys

from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
from tensorboard.util import tensor_util
from tensorboard import version

everything = {event_accumulator.SCALARS: 0, event_accumulator.TENSORS: 0}
plain = event_accumulator.EventAccumulator(sys.argv[1], size_guidance=everything)
plain.Reload()
# The one behind today's pages: it turns every value into a tensor with a plug-in's name.
pages = plugin_event_accumulator.EventAccumulator(sys.argv[1], size_guidance=everything)
pages.Reload()


def tags(plugin):
    return pages.PluginTagToContent(plugin) if plugin in pages.ActivePlugins() else {}


result = {"version": version.VERSION, "scalars": {}, "pages": {}, "text": {}}
for tag in plain.Tags()["scalars"]:
    result["scalars"][tag] = [[event.step, event.value, event.wall_time] for event in plain.Scalars(tag)]
for tag in tags("scalars"):
    result["pages"][tag] = [[event.step, float(tensor_util.make_ndarray(event.tensor_proto))] for event in pages.Tensors(tag)]
for tag in tags("text"):
    result["text"][tag] = [[event.step, str(tensor_util.make_ndarray(event.tensor_proto)[0], "utf-8")]
                           for event in pages.Tensors(tag)]
print(json.dumps(result))
