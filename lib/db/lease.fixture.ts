// A process of its own for the lease's tests: opens the database, keeps the lease and says how that went.
import { AppError } from "../errors/app-error";
import { keepLease } from "./lease";
import { openDatabase } from "./open";

try {
  const { lease } = await openDatabase();
  keepLease(lease, () => process.exit(3));
  process.stdout.write("held\n");
  setInterval(() => {}, 1000);
} catch (error) {
  process.stdout.write(error instanceof AppError ? `${error.code} ${error.message}\n` : `${String(error)}\n`);
  process.exit(2);
}
