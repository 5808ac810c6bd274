// The sentences of a routing graph, made of its numbers. Pure functions over a picture that has its content.
#pragma once

#include <string>

#include "viz/model/routing_query.h"

namespace sparsescope::viz {

std::string routing_help(const RoutingPicture& picture);
void set_routing_title(RoutingPicture& picture);
// What is drawn of what, what the threshold hides, and the proof; the error when the sums disagree.
void set_routing_sums(RoutingPicture& picture);
// Whether it is becoming everything-to-everything. `start`, `now`: scope density of the layers shown on the
// training batch, at the first step and at the cursor; not a number: not recorded.
void set_routing_takeaway(RoutingPicture& picture, double start, double now);
// "0.214" or "12 pairs"; in a difference with its sign.
std::string routing_value(const RoutingPicture& picture, double value);
// "token 17 ␣struct" or "tokens 64–127".
std::string routing_node_name(const RoutingNode& node);

}  // namespace sparsescope::viz
