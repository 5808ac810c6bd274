// What a declaration map says: names, help, takeaway, what is known where. Not for others.
#pragma once

#include <string>

#include "viz/model/declaration_content.h"
#include "viz/model/probe_text.h"

namespace sparsescope::viz {

// Formulas, units and what is recorded.
std::string declaration_help();
// Rows and columns with their words, values, scale, limits and what is hidden.
void describe_content(const DeclarationContent& content, const ProbeText& text, DeclarationPicture& picture);
// Layer, value, order and comparison, behind the title.
void set_detail(DeclarationPicture& picture);
void set_takeaway(const DeclarationContent& content, const ProbeText& text, DeclarationPicture& picture);
DeclaredToken declared_token(const DeclarationContent& content, const DeclarationHistory& history,
                             const ProbeText& text, std::int64_t id, const DeclarationPicture& picture);

// A cell's value as text: a number, "—", or what it stands for.
std::string cell_number(const DeclarationPicture& picture, const Cell& cell);

}  // namespace sparsescope::viz
