// SDKs up to 0.3 look up this file to find `index.js` one folder above; nothing is meant to load it.
throw new Error("this package starts a runtime and has no API; use @github/copilot-sdk or @rightseat/sdk");
