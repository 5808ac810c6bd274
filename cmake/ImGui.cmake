# Dear ImGui (docking), ImPlot and, in test builds, the Test Engine: one matching set, sources listed by us.
