// The SDK that squad-sdk builds on names a file without its ending, which Node refuses; the squad command mends that as well.
export async function resolve(specifier, context, next) {
  return next(specifier === "vscode-jsonrpc/node" ? `${specifier}.js` : specifier, context);
}
