# SPDX-License-Identifier: Apache-2.0
#
# Builds the operator's page and turns it into a source file, named by `page_files`. In a copy below the build folder:
# the source tree stays as it is, and build folders do not disturb each other.
find_program(NPM npm REQUIRED)
find_program(NODE NAMES node nodejs REQUIRED)

set(source ${CMAKE_CURRENT_SOURCE_DIR}/page)
set(copy ${CMAKE_CURRENT_BINARY_DIR}/page)
set(packages package.json package-lock.json .npmrc)
list(TRANSFORM packages PREPEND ${source}/ OUTPUT_VARIABLE package_files)
file(GLOB_RECURSE page_sources CONFIGURE_DEPENDS ${source}/src/*)
set(page_inputs ${source}/index.html ${source}/vite.config.ts ${source}/tsconfig.json)

# By itself, because it takes longest and its inputs change least.
add_custom_command(OUTPUT ${copy}/node_modules/.stamp
  COMMAND ${CMAKE_COMMAND} -E make_directory ${copy}
  COMMAND ${CMAKE_COMMAND} -E copy ${package_files} ${copy}
  COMMAND ${CMAKE_COMMAND} -E chdir ${copy} ${NPM} ci --no-audit --no-fund --loglevel=error
  COMMAND ${CMAKE_COMMAND} -E touch ${copy}/node_modules/.stamp
  DEPENDS ${package_files}
  COMMENT "Installing the page's npm packages" VERBATIM)

set(page_files ${CMAKE_CURRENT_BINARY_DIR}/page_files_embedded.cpp)
# From an empty dist: hashed names of earlier builds would stay. A removed source must go, too.
add_custom_command(OUTPUT ${page_files}
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${copy}/src ${copy}/dist
  COMMAND ${CMAKE_COMMAND} -E copy_directory ${source}/src ${copy}/src
  COMMAND ${CMAKE_COMMAND} -E copy ${page_inputs} ${copy}
  COMMAND ${CMAKE_COMMAND} -E chdir ${copy} ${NPM} run --silent build -- --logLevel warn
  COMMAND ${NODE} ${CMAKE_CURRENT_SOURCE_DIR}/page_embed.mjs ${copy}/dist ${page_files}
  DEPENDS ${copy}/node_modules/.stamp ${page_sources} ${page_inputs} page_embed.mjs
  COMMENT "Building the operator's page" VERBATIM)
