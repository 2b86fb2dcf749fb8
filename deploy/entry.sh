#!/bin/sh
# Options are the server's, as are its commands (`token`); what else is named first (`copilot`, `bash`) is run.
case "${1-}" in
  "" | -* | token) set -- rightseat "$@" ;;
esac
exec "$@"
