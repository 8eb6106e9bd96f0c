# cmake -DFOLDER=configs -DOUTPUT=embedded_configs.cpp -P EmbedConfigs.cmake: the texts of FOLDER's .toml files as C++, so that a program
# has them wherever it lies.
file(GLOB_RECURSE names RELATIVE ${FOLDER} ${FOLDER}/*.toml)
list(SORT names)
set(code "#include \"cli/embedded_configs.h\"\n\nnamespace actio::cli {\nnamespace {\n\nconstexpr EmbeddedConfig kConfigs[] = {\n")
foreach(name IN LISTS names)
  file(READ ${FOLDER}/${name} text)
  string(APPEND code "    {\"${name}\", R\"toml(${text})toml\"},\n")
endforeach()
string(APPEND code "};\n\n}  // namespace\n\nstd::span<const EmbeddedConfig> embedded_configs() { return kConfigs; }\n\n}  // namespace actio::cli\n")
file(WRITE ${OUTPUT} "${code}")
