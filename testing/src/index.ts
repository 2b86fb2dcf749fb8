export { type Certificates, createCertificates, type KeyPair } from "./certificates.ts";
export { collect } from "./collect.ts";
export {
  type FaultProxy,
  type FaultProxyOptions,
  type FaultRates,
  startFaultProxy,
  type Way,
} from "./fault-proxy.ts";
export {
  type ModelScript,
  type RecordedModelRequest,
  type ScriptedModelServer,
  type ScriptedModelServerOptions,
  type ScriptedReply,
  type ScriptedToolCall,
  type ScriptedUsage,
  startScriptedModelServer,
} from "./scripted-model-server.ts";
export { withoutTime } from "./without-time.ts";
