// The package is served file by file while developing, as it lies in node_modules.
export default { optimizeDeps: { exclude: ["archer-web"] } };
