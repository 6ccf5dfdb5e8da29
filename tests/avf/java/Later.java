import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/**
 * Calls AVF's methods that this library does not have yet, so that the tests
 * of them are written and compile. A method that is there may as well be
 * called directly.
 */
final class Later {
    private Later() {}

    static Object call(Object target, String name, Object... args)
            throws Exception {
        for (Method method : target.getClass().getMethods()) {
            if (!method.getName().equals(name)
                    || method.getParameterCount() != args.length)
                continue;
            try {
                return method.invoke(target, args);
            } catch (InvocationTargetException e) {
                if (e.getCause() instanceof Exception)
                    throw (Exception) e.getCause();
                throw e;
            }
        }
        throw new AssertionError(target.getClass().getName() + " has no "
                + name + "()");
    }
}
