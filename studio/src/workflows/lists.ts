// Which queries list workflows: they are read again when one is made, changed or deleted.
export const workflowLists = { queryKey: ["get", "/api/workflows"] };
