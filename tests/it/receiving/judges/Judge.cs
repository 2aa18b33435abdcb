using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

// Gives the verdicts of the page's C# functions; what comes and goes is as in judge.go.
static class Judge
{
    static void Main()
    {
        for (string line = Console.ReadLine(); line != null; line = Console.ReadLine())
        {
            byte[][] fields = line.Split('\t').Select(Convert.FromBase64String).ToArray();
            Func<int, string> text = place => Encoding.UTF8.GetString(fields[place]);
            var headers = new Dictionary<string, string>();
            for (int place = 3; place < fields.Length; place += 2) headers[text(place)] = text(place + 1);
            Func<string, string> header = name => headers.TryGetValue(name, out string value) ? value : null;
            bool standard = Verify.Standard(text(0), header, fields[2]);
            bool ion = Ion.Verify(text(0), text(1), header, fields[2]);
            Console.WriteLine((standard ? "1" : "0") + " " + (ion ? "1" : "0"));
        }
    }
}
