// Stands where `@rjsf/core` expects ajv: see `vite.config.ts`.
export { validator as default } from "./validator";
