import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;

/** Gives the verdicts of the page's Java functions; what comes and goes is as in judge.go. */
final class Judge {
    public static void main(String[] arguments) throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] fields = line.split("\t", -1);
            Map<String, String> headers = new HashMap<>();
            for (int place = 3; place < fields.length; place += 2) {
                headers.put(text(fields[place]), text(fields[place + 1]));
            }
            byte[] body = Base64.getDecoder().decode(fields[2]);
            boolean standard = Verify.standard(text(fields[0]), headers::get, body);
            boolean ion = Ion.verify(text(fields[0]), text(fields[1]), headers::get, body);
            System.out.println((standard ? "1" : "0") + " " + (ion ? "1" : "0"));
        }
    }

    private static String text(String field) {
        return new String(Base64.getDecoder().decode(field), StandardCharsets.UTF_8);
    }
}
