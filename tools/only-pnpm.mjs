// Runs before an install: `npm install` would leave a second lock file and a differently shaped node_modules behind.
if (!(process.env.npm_config_user_agent ?? "").startsWith("pnpm/")) {
  console.error(
    "This workspace is installed by pnpm. Run `npm start` or `npm test`: both fetch the pinned pnpm and install.",
  );
  process.exit(1);
}
